values {
  stolen = templatefile("@CANARY_FILE@", {})
}
