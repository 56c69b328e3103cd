package verify

import "context"

func checkSignature(ctx context.Context, f *facts) Result { return notReached() }
