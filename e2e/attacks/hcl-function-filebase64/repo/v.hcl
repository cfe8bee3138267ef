values {
  stolen = filebase64("@CANARY_FILE@")
}
