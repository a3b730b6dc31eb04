"""A CLAP of the real architecture but tiny, with random weights, in a folder as transformers saves one."""

from __future__ import annotations

from pathlib import Path


def write_clap(folder: Path, seed: int = 0, fusion: bool = False) -> Path:
    """A whole ClapModel, text half too, as its publishers upload it, and its feature extractor; about 1 MB."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    text = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    audio = {
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "enable_fusion": fusion,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=24))
        for values in model.parameters():
            values.data.mul_(5.0)  # published weights tell sounds apart, freshly drawn ones hardly
    model.save_pretrained(folder)
    ClapFeatureExtractor(truncation="fusion" if fusion else "rand_trunc").save_pretrained(folder)
    return folder
