// Package limits has the limits of what the agent downloads and reads for a chart.
package limits
