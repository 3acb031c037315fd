package catalog

// reach puts nodes at the top until all of them can be reached from it: those that
// none of the others wants, then of each circle the first.
func reach(nodes []*node) {
	wanted, seen := map[*node]bool{}, map[*node]bool{}
	visit := func(n *node) {
		seen[n] = true
		for todo := []*node{n}; len(todo) > 0; {
			n, todo = todo[len(todo)-1], todo[:len(todo)-1]
			for to := range n.to {
				if !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
	}
	for _, n := range nodes {
		for to := range n.to {
			wanted[to] = true
		}
	}
	for _, pass := range []func(n *node) bool{
		func(n *node) bool { return n.top },
		func(n *node) bool { return !wanted[n] },
		func(n *node) bool { return true }, // circles
	} {
		for _, n := range nodes {
			if !seen[n] && pass(n) {
				n.top = true
				visit(n)
			}
		}
	}
}
