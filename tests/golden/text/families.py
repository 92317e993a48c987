"""Small byte-level BPE tokenizers with the structure of the real ones, made by the package `tokenizers`.

Each family is a function of a trained vocabulary that returns the value of a tokenizer.json. Vocabularies are
learnt here, from sentences made up below: nothing of a published one is in them. What is the family's own is
written out field by field: normalizer, pre-tokenizer, added tokens with their flags, post-processor, decoder.
"""

import json
import random

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
WORDS = """the of and to in is you that it he was for on are as with his they at be this have from or one had by word
but not what all were we when your can said there use an each which she do how their if will up other about out many
then them these so some her would make like him into time has look two more write go see number no way could people
my than first water been call who oil its now find long down day did get come made may part straße naïve café привет
мир здравствуйте γειά κόσμε שלום עולם مرحبا العالم नमस्ते दुनिया สวัสดี 你好 世界 こんにちは カタカナ 안녕하세요 세계
def return import self print class for while None True False 12 100 2024 3.14 😀 👍🏽 ❤️ … — “quoted” ’s don't I'll we've
e\u0301 o\u0308 it's they're you'd I'm Don't IT'S""".split()


def corpus():
    rng = random.Random(5)
    lines = []
    for _ in range(3000):
        words = [rng.choice(WORDS) for _ in range(rng.randint(2, 12))]
        line = rng.choice([" ", " ", " ", "  ", "\n", "\t", ", ", ". "]).join(words)
        lines.append(rng.choice(["", " ", "    ", "\n", "\r\n"]) + line + rng.choice([".", "!", "\n", "\n\n", " ", "?!"]))
    return lines


def trained(pre_tokenizer, merges=350, alphabet=None):
    """Vocabulary and merges, in the byte alphabet."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet() if alphabet is None else alphabet
    trainer = trainers.BpeTrainer(vocab_size=len(alphabet) + merges, show_progress=False,
                                  initial_alphabet=sorted(alphabet), limit_alphabet=len(alphabet))
    tokenizer.train_from_iterator(corpus(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], model["merges"]


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def byte_level(add_prefix_space=False, trim_offsets=True, use_regex=True):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets,
            "use_regex": use_regex}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def added(id, content, **flags):
    token = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
    return token | flags


def tokenizer_json(vocab, merges, added_tokens, pre_tokenizer, normalizer=None, post_processor=None, **model):
    fields = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
              "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens,
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor,
            "decoder": byte_level(True), "model": fields | model | {"vocab": vocab, "merges": merges}}


def template(bos, id):
    def one(name, type_id):
        return [{"SpecialToken": {"id": bos, "type_id": type_id}}, {"Sequence": {"id": name, "type_id": type_id}}]

    return {"type": "TemplateProcessing", "single": one("A", 0), "pair": one("A", 0) + one("B", 1),
            "special_tokens": {bos: {"id": bos, "ids": [id], "tokens": [bos]}}}


def gpt2():
    vocab, merges = trained(pre_tokenizers.ByteLevel(add_prefix_space=False))
    vocab["<|endoftext|>"] = len(vocab)
    end = added(vocab["<|endoftext|>"], "<|endoftext|>", normalized=True)
    # As its file on the hub: merges are strings, and absent strings are empty ones.
    value = tokenizer_json(vocab, [" ".join(pair) for pair in merges], [end], byte_level(),
                           post_processor=byte_level(True, False), unk_token="", continuing_subword_prefix="",
                           end_of_word_suffix="")
    del value["model"]["type"], value["model"]["byte_fallback"], value["model"]["ignore_merges"]
    return value


def llama3():
    vocab, merges = trained(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                                     pre_tokenizers.ByteLevel(False, use_regex=False)]))
    # Tokens that no merge makes: with ignore_merges a piece that is one of them is found all the same.
    for word in ["Ġtogether", "together", "ĠÎºÎ±Î¹", "123", "''''", "ĊĊĊĊ"]:
        vocab[word] = len(vocab)
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|finetune_right_pad_id|>",
             "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"]
    tokens = [added(len(vocab) + i, name) for i, name in enumerate(names)]
    marks = {"type": "Sequence", "processors": [byte_level(True, False), template(names[0], tokens[0]["id"])]}
    return tokenizer_json(vocab, merges, tokens, sequence(split(LLAMA3), byte_level(False, True, False)),
                          post_processor=marks, ignore_merges=True)


def qwen2():
    vocab, merges = trained(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                                                     pre_tokenizers.ByteLevel(False, use_regex=False)]))
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|vision_start|>"]
    plain = ["<tool_call>", "</tool_call>", "<think>", "</think>", "<|fim_prefix|>"]
    tokens = [added(len(vocab) + i, name, special=name in special) for i, name in enumerate(special + plain)]
    return tokenizer_json(vocab, [" ".join(pair) for pair in merges], tokens,
                          sequence(split(QWEN2), byte_level(False, False, False)), {"type": "NFC"},
                          byte_level(False, False, False), unk_token=None)


def smollm2():
    # Its vocabulary starts with its special tokens and lacks bytes, which are dropped before merging.
    missing = {chr(c) for c in [0x10C, 0x10F, *range(0x112, 0x11E), 0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF]}
    alphabet = [c for c in pre_tokenizers.ByteLevel.alphabet() if c not in missing]
    vocab, merges = trained(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                     pre_tokenizers.ByteLevel(False)]), alphabet=alphabet)
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>",
             "<gh_stars>", "<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>",
             "<jupyter_code>", "<jupyter_output>", "<jupyter_script>", "<empty_output>"]
    vocab = {name: i for i, name in enumerate(names)} | {token: id + len(names) for token, id in vocab.items()}
    tokens = [added(i, name) for i, name in enumerate(names)]
    return tokenizer_json(vocab, [" ".join(pair) for pair in merges], tokens,
                          sequence({"type": "Digits", "individual_digits": True}, byte_level()),
                          unk_token=None)


def flags():
    """Every flag of an added token, and a space put before each text."""
    vocab, merges = trained(pre_tokenizers.ByteLevel(add_prefix_space=True), 200)
    rows = [("<mask>", dict(lstrip=True)), ("<sep>", dict(rstrip=True)), ("<both>", dict(lstrip=True, rstrip=True)),
            ("New York", dict(special=False)), ("New York City", dict(special=False, single_word=True)),
            ("New", dict(special=False, normalized=True)), ("ing", dict(special=False, single_word=True)),
            ("ka\u1e69", dict(special=False, normalized=True)), ("s\u0307\u0323t\u1e69", dict(special=False, normalized=True)),
            ("  ", dict(special=False)), ("\u4e2d\u56fd", dict(special=False, single_word=True)),
            (" \u00e0 ", dict(special=False, normalized=True, lstrip=True)), ("<e>", dict(special=True, normalized=True))]
    tokens = [added(len(vocab) + i, content, **flag) for i, (content, flag) in enumerate(rows)]
    return tokenizer_json(vocab, merges, tokens, byte_level(True), {"type": "Sequence", "normalizers": [{"type": "NFC"}]})


def splits():
    """Every behaviour of Split, one after the other, and Digits that stay together."""
    vocab, merges = trained(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), 200)
    parts = [split(r"\n+", "Removed"), split(" ", "MergedWithNext", kind="String"), split(r"[.!?]", "MergedWithPrevious"),
             split(r"\p{Lu}", "Contiguous"), split(r"[\p{L}\p{M}]+|\d", "Isolated", True),
             split(r"(?=x)|\b[a-f]{2,}\b", "Isolated"), split(r"[^\S\t]", "Contiguous", True),
             {"type": "Digits", "individual_digits": False}, split(r"[\P{L}e]+", "MergedWithNext"),
             split("(a)*", "MergedWithPrevious", True, "String"), byte_level(True, False, False)]
    return tokenizer_json(vocab, merges, [added(len(vocab), "<end>")], sequence(*parts))


def removed():
    """Only what the pattern matches is kept."""
    vocab, merges = trained(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), 200)
    parts = [split(r"(?i:don't)|[\p{L}\p{N}]+|[[,.]-\s]", "Removed", True), split("the", "Removed", kind="String"),
             byte_level(False, False, False)]
    return tokenizer_json(vocab, merges, [added(len(vocab), "<end>", rstrip=True)], sequence(*parts))


def unknown():
    """Bytes without a token become <unk>, one for each run of them."""
    alphabet = [c for c in pre_tokenizers.ByteLevel.alphabet() if ord(c) < 0x80 or ord(c) == 0x120]
    vocab, merges = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), 150, alphabet)
    vocab["<unk>"] = len(vocab)
    tokens = [added(vocab["<unk>"], "<unk>")]
    return tokenizer_json(vocab, merges, tokens, byte_level(), unk_token="<unk>", fuse_unk=True)


def unknown_each():
    value = unknown()
    value["model"]["fuse_unk"] = False
    return value


FAMILIES = {f.__name__: f for f in (gpt2, llama3, qwen2, smollm2, flags, splits, removed, unknown, unknown_each)}
