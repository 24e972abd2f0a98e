using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;

namespace CoGrpo.Model.Conversion;

/// <summary>Whether the parts of a model folder belong together.</summary>
internal static class FolderParts
{
    /// <summary>Checks the sizes that two parts share; parts that are not there are null.</summary>
    /// <exception cref="ModelException">Two differ; the message names both places.</exception>
    public static void Check(TransformerConfig? transformer, VqConfig? pictures, ClipTextConfig? text, ITextTokenizer? tokenizer)
    {
        if (
            transformer is not null
            && text is not null
            && (text.HiddenSize != transformer.JointAttentionDim || text.ProjectionDim != transformer.PooledProjectionDim)
        )
        {
            throw new ModelException(
                $"model configuration: wanted a text encoder with hidden_size {transformer.JointAttentionDim} and projection_dim {transformer.PooledProjectionDim}, " +
                $"got {text.HiddenSize} and {text.ProjectionDim}; make joint_attention_dim and pooled_projection_dim of the transformer agree with them");
        }

        if (transformer is not null && pictures is not null && pictures.NumVqEmbeddings != transformer.CodebookSize)
        {
            throw new ModelException($"model folder: wanted a transformer and a VQ model of one codebook, got {transformer.CodebookSize} codes (transformer/config.json, codebook_size) " +
                $"and {pictures.NumVqEmbeddings} (vqvae/config.json, num_vq_embeddings); they belong to different models");
        }

        if (
            text is not null
            && tokenizer is not null
            && (tokenizer.Length != text.MaxPositionEmbeddings || tokenizer.VocabularySize > text.VocabSize)
        )
        {
            throw new ModelException(
                $"model folder: wanted a tokenizer of {text.MaxPositionEmbeddings} ids below {text.VocabSize} (text_encoder/config.json), "
                    + $"got {tokenizer.Length} ids below {tokenizer.VocabularySize} (tokenizer/); they belong to different models"
            );
        }
    }
}
