// Package archive checks a chart archive before Helm reads it. The archive must be safe to unpack, within the limits, and the chart that
// the index or the reference names.
package archive
