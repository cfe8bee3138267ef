// Command tiny stands in for the agent: tests of the image need a binary that compiles in no time.
package main

func main() {}
