using CoGrpo.Model;

namespace CoGrpo.Rl.Serving;

/// <summary>The base model that comes with the project, used when a configuration names no checkpoint.</summary>
public static class ShippedModel
{
    private const string Folder = "models/emoji-scenes";

    /// <summary>Its folder: <c>models/emoji-scenes</c> at or above the program, else at or above the current folder.</summary>
    /// <exception cref="ModelException">It is in neither place.</exception>
    public static string Find()
    {
        foreach (string start in new[] { AppContext.BaseDirectory, Environment.CurrentDirectory })
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string candidate = Path.Combine(folder.FullName, Folder);
                if (Directory.Exists(Path.Combine(candidate, "transformer")))
                {
                    return candidate;
                }
            }
        }

        throw new ModelException($"model.checkpoint: wanted a model, none is configured and {Folder} was found neither above {AppContext.BaseDirectory} nor above {Environment.CurrentDirectory}; give --checkpoint FOLDER");
    }
}
