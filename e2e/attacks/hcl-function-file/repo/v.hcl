values {
  stolen = file("@CANARY_FILE@")
}
