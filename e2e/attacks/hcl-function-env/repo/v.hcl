values {
  stolen = env("CANARY_ENV")
}
