using System.Globalization;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Checkpoints;

/// <summary>
/// The checkpoints of one run: <c>root/step-000123/</c>, each written aside and published whole, with a <see cref="CheckpointMarker"/>
/// over its files written last. One process writes to a store at a time.
/// </summary>
public sealed class CheckpointStore
{
    private const string Prefix = "step-";
    private readonly string _root;
    private readonly int _keep;

    /// <summary>
    /// A store in the directory <paramref name="root"/> (created on the first save) that keeps the newest <paramref name="keep"/> checkpoints.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keep"/> is less than 1.</exception>
    public CheckpointStore(string root, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        _root = Path.GetFullPath(root);
        _keep = keep;
    }

    /// <summary>
    /// Writes the checkpoint of <paramref name="step"/>: <paramref name="write"/> puts files, no folders, into the directory it is given.
    /// Then removes the oldest checkpoints beyond the number to keep, and those of later steps: they belong to a course of training that
    /// was abandoned by resuming before them, and must not be found by the next resume.
    /// </summary>
    /// <remarks>On any error all checkpoints are as before and nothing partial is left.</remarks>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public Checkpoint Save(long step, Action<string> write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        string path = Path.Combine(_root, Prefix + step.ToString("D6", CultureInfo.InvariantCulture));
        AtomicDirectory.Write(path, aside =>
        {
            write(aside);
            CheckpointMarker.Write(aside);
        });
        Prune(step);
        return new Checkpoint(step, path);
    }

    /// <summary>
    /// The newest checkpoint whose marker and files are all intact, or null. Every newer one that is damaged or incomplete is skipped
    /// with one message to <paramref name="report"/>. Reads all bytes of the checkpoints it examines.
    /// </summary>
    public Checkpoint? FindNewest(Action<string> report)
    {
        foreach (Checkpoint candidate in Candidates())
        {
            string? fault = CheckpointMarker.FindFault(candidate.Directory);
            if (fault is null)
            {
                return candidate;
            }

            report($"{candidate.Directory}: skipped, {fault}");
        }

        return null;
    }

    private void Prune(long saved)
    {
        int kept = 0;
        foreach (Checkpoint candidate in Candidates())
        {
            if (candidate.Step > saved || kept == _keep)
            {
                AtomicDirectory.Delete(candidate.Directory);
            }
            else
            {
                kept++;
            }
        }

        // What a killed process left aside.
        foreach (string leftover in Directory.GetDirectories(_root, $".{Prefix}*.tmp"))
        {
            Directory.Delete(leftover, recursive: true);
        }
    }

    /// <summary>Directories named like checkpoints, newest first; not yet validated.</summary>
    private List<Checkpoint> Candidates()
    {
        var found = new List<Checkpoint>();
        if (Directory.Exists(_root))
        {
            foreach (string directory in Directory.GetDirectories(_root, Prefix + "*"))
            {
                string digits = Path.GetFileName(directory)[Prefix.Length..];
                if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long step))
                {
                    found.Add(new Checkpoint(step, directory));
                }
            }
        }

        found.Sort((a, b) => b.Step.CompareTo(a.Step));
        return found;
    }
}
