values {
  stolen = exec("@OUTSIDE@/program")
}
