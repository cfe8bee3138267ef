values {
  stolen = hv.stolen2
  stolen2 = "ref+file://@CANARY_FILE@"
}
