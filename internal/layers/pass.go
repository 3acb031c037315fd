package layers

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Pass reads an image once. Every digest is recomputed; see the package comment for
// what is promised and which errors there are.
func Pass(ctx context.Context, img v1.Image, opts Options, visitors ...Visitor) (*Result, error) {
	panic("follows")
}

// PassFolder reads a folder as if it were an image of one layer. Symbolic links are
// not followed out of it. There are no digests.
func PassFolder(ctx context.Context, folder string, opts Options, visitors ...Visitor) (*Result, error) {
	panic("follows")
}
