using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// A grid of evaluation pictures with their prompts: the first sample of the first prompts of every task, so grids of two checkpoints can be laid
/// side by side.
/// </summary>
internal static class SceneGridPicture
{
    private const int PromptsPerTask = 4;
    private const int Scale = 3;
    private const int Padding = 8;

    /// <summary>One row per task.</summary>
    public static RgbImage Of(EvaluationSet set, SceneLayout layout, ReadOnlySpan<int> codes)
    {
        int columns = Math.Min(PromptsPerTask, set.PromptsPerTask);
        var pictures = new List<RgbImage>();
        var captions = new List<string>();
        for (int task = 0; task < PromptSet.TaskCount; task++)
        {
            for (int p = 0; p < columns; p++)
            {
                int index = ((task * set.PromptsPerTask) + p) * set.Samples;
                pictures.Add(Picture(layout, codes.Slice(index * layout.CodeCount, layout.CodeCount)));
                captions.Add(set.Prompts[index].Text);
            }
        }

        return ImageGrid.Render(pictures, columns, captions, Scale, Padding);
    }

    /// <summary>The picture of one image's codes.</summary>
    public static RgbImage Picture(SceneLayout layout, ReadOnlySpan<int> codes)
    {
        IImageTokenizer tokenizer = layout.Tokenizer;
        var rgb = new byte[tokenizer.PictureBytes];
        tokenizer.Decode(codes, rgb);
        return new RgbImage(tokenizer.PictureWidth, tokenizer.PictureHeight, rgb);
    }
}
