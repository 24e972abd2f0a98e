namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>
/// Orders blocks so that every loop is one run of code that starts with its head, and a block comes after all blocks that lead to it
/// other than by going round a loop. Lanes that are behind always run first, so that in this order lanes wait where their paths join.
/// </summary>
internal static class BlockOrder
{
    public static List<BasicBlock> Of(BasicBlock entry)
    {
        List<BasicBlock> reachable = Reachable(entry);
        List<BasicBlock> order = new(reachable.Count);
        Visit(reachable, entry, [], order);
        for (int i = 0; i < order.Count; i++)
        {
            order[i].Order = i;
        }

        return order;
    }

    private static List<BasicBlock> Reachable(BasicBlock entry)
    {
        HashSet<BasicBlock> seen = [entry];
        Stack<BasicBlock> open = new([entry]);
        while (open.TryPop(out BasicBlock? block))
        {
            foreach (BasicBlock next in block.Successors)
            {
                if (seen.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        return [.. seen.OrderBy(block => block.Index)];
    }

    /// <summary>Appends <paramref name="nodes"/> in order; edges into <paramref name="heads"/> do not count.</summary>
    private static void Visit(List<BasicBlock> nodes, BasicBlock entry, HashSet<BasicBlock> heads, List<BasicBlock> order)
    {
        List<List<BasicBlock>> components = Components(nodes, entry, heads);
        for (int i = components.Count - 1; i >= 0; i--)
        {
            List<BasicBlock> component = components[i];
            if (component.Count == 1)
            {
                order.Add(component[0]);
                continue;
            }

            // The head is where the loop is entered from outside: the first such block of the text.
            HashSet<BasicBlock> inside = [.. component];
            BasicBlock head = inside.Contains(entry)
                ? entry
                : component
                    .Where(block => nodes.Any(outer => !inside.Contains(outer) && outer.Successors.Contains(block)))
                    .OrderBy(block => block.Index)
                    .FirstOrDefault()
                    ?? component.MinBy(block => block.Index)!;
            component.Sort((a, b) => a.Index.CompareTo(b.Index));
            Visit(component, head, [.. heads, head], order);
        }
    }

    /// <summary>Strongly connected components, each after all that it leads to (Tarjan's algorithm without recursion).</summary>
    private static List<List<BasicBlock>> Components(List<BasicBlock> nodes, BasicBlock entry, HashSet<BasicBlock> heads)
    {
        HashSet<BasicBlock> inside = [.. nodes];
        Dictionary<BasicBlock, int> number = [];
        Dictionary<BasicBlock, int> low = [];
        HashSet<BasicBlock> onStack = [];
        Stack<BasicBlock> stack = new();
        List<List<BasicBlock>> components = [];
        Stack<(BasicBlock Block, IEnumerator<BasicBlock> Left)> walk = new();

        void Enter(BasicBlock block)
        {
            number[block] = low[block] = number.Count;
            stack.Push(block);
            onStack.Add(block);
            walk.Push((block, block.Successors.Where(next => inside.Contains(next) && !heads.Contains(next)).GetEnumerator()));
        }

        foreach (BasicBlock root in nodes.Prepend(entry))
        {
            if (number.ContainsKey(root))
            {
                continue;
            }

            Enter(root);
            while (walk.TryPeek(out (BasicBlock Block, IEnumerator<BasicBlock> Left) top))
            {
                if (top.Left.MoveNext())
                {
                    BasicBlock next = top.Left.Current;
                    if (!number.ContainsKey(next))
                    {
                        Enter(next);
                    }
                    else if (onStack.Contains(next))
                    {
                        low[top.Block] = Math.Min(low[top.Block], number[next]);
                    }

                    continue;
                }

                walk.Pop();
                if (walk.TryPeek(out (BasicBlock Block, IEnumerator<BasicBlock> Left) above))
                {
                    low[above.Block] = Math.Min(low[above.Block], low[top.Block]);
                }

                if (low[top.Block] == number[top.Block])
                {
                    List<BasicBlock> component = [];
                    BasicBlock member;
                    do
                    {
                        member = stack.Pop();
                        onStack.Remove(member);
                        component.Add(member);
                    }
                    while (member != top.Block);
                    components.Add(component);
                }
            }
        }

        return components;
    }
}
