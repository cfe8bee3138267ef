package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Of is a short text that is equal for equal values. A value consists of strings, flags and slices and structs of them.
func Of(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // impossible for such values
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
