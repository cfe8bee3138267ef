// Package drift compares a live object with the newest revision of its release. It has only pure functions: they take objects and
// return a patch that corrects the live object, and the fields that differ. It sends no requests.
//
// A field counts only if the manifest sets it. Defaults, the status and fields that other clients added do not count. Quantities
// and similar values are normalized before they are compared. The API server also adds fields to lists that it treats as one
// value, such as a default in each element. The managedFields of the object tell such additions from edits by other clients. A
// difference that remains may still come from a webhook: only a dry run can tell.
//
// It may import package release.
package drift
