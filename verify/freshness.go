package verify

import "context"

func checkFreshness(ctx context.Context, f *facts) Result { return notReached() }
