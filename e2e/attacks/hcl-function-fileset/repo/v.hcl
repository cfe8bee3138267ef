values {
  stolen = fileset("@OUTSIDE@", "**")
}
