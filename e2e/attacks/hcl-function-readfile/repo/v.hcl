values {
  stolen = readFile("@CANARY_FILE@")
}
