"""(symbols, table indices) ↔ bits: Huffman and rANS."""

from cnnzip.entropy.codebook import Codebook, TableReport
from cnnzip.entropy.coder import Coder, Decoder
from cnnzip.entropy.huffman import HuffmanCoder
from cnnzip.entropy.passes import ideal_bits, symbol_bits
from cnnzip.entropy.rans import RansCoder
from cnnzip.entropy.tables import SYMBOL_LIMIT, Tables
from cnnzip.entropy.tally import Cost, TableUse, Tally, tally
from cnnzip.errors import HeaderError

CODERS = ("huffman", "rans")
"""Names of the coders, by their number in a file."""


def coder(name: str, codebook: Codebook) -> Coder:
    """The coder of that name; ValueError if there is none."""
    if name == "huffman":
        return HuffmanCoder(codebook)
    if name == "rans":
        return RansCoder(codebook.tables)
    raise ValueError(f"coders are {' and '.join(CODERS)}, not {name}")


def coder_name(number: int) -> str:
    """The name of the coder that a file gives by number; HeaderError if there is none."""
    if not 0 <= number < len(CODERS):
        raise HeaderError(f"the file names the unknown coder {number}")
    return CODERS[number]


__all__ = [
    "CODERS",
    "SYMBOL_LIMIT",
    "Codebook",
    "Coder",
    "Cost",
    "Decoder",
    "HuffmanCoder",
    "RansCoder",
    "TableReport",
    "TableUse",
    "Tables",
    "Tally",
    "coder",
    "coder_name",
    "ideal_bits",
    "symbol_bits",
    "tally",
]
