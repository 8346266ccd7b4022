"""The codecs that `cnnzip bench` compares: one small class each, behind one registry."""

from cnnzip.bench.codecs.codec import Codec
from cnnzip.bench.codecs.registry import choose, every

__all__ = ["Codec", "choose", "every"]
