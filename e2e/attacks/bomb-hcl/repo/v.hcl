values {
  a0 = "xxxxxxxxxx"
  a1 = "${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}${hv.a0}"
  a2 = "${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}${hv.a1}"
  a3 = "${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}${hv.a2}"
  a4 = "${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}${hv.a3}"
  a5 = "${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}${hv.a4}"
  a6 = "${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}${hv.a5}"
  a7 = "${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}${hv.a6}"
  a8 = "${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}${hv.a7}"
  a9 = "${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}${hv.a8}"
}
