// Package drift says how a live object differs from what its release's last revision says. It asks nobody and writes
// nothing: objects come in, the patch that would correct them and the fields that it concerns go out.
//
// A field counts only if the manifest sets it: defaults, status, and what others have added are none of our business.
// Quantities and other words that the API server spells in its own way are spelled so before anything is compared. What it
// has added to a list that is one value to it, such as a default in each element, is told from somebody's edit by the
// object's managedFields. What still looks different may be a webhook's work: only a dry run can tell.
//
// It may import release.
package drift
