// Package archive checks a chart archive before Helm reads it: that it is safe to unpack, within the limits, and the chart that the
// index promised.
package archive
