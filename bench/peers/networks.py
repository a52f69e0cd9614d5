"""The forms of the network that are timed, by name. All have the same weights; each is checked before it is used."""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from resnet50 import Bottleneck, load
from timing import use_tf32


class Form(NamedTuple):
    tf32: bool  # whether float32 may be computed with TF32's mantissa
    half: bool  # float16, channels last
    merged: bool  # batch normalisation merged into the convolutions
    compiled: bool
    logits: float  # largest difference from ours that is accepted; our logits reach 6.4
    map: float  # the same of a map, which spans 0 to 1


FORMS = {
    "f32": Form(False, False, False, False, 1e-3, 1e-3),
    "tf32": Form(True, False, False, False, 5e-2, 2e-2),
    "f16": Form(False, True, False, False, 5e-2, 2e-2),
    "f16 merged": Form(False, True, True, False, 5e-2, 2e-2),
    "f16 compiled": Form(False, True, True, True, 5e-2, 2e-2),
}


def build(form, given, device):
    """(network, function that makes a batch ready for it), not yet compiled. Sets TF32 for the whole process."""
    use_tf32(form.tf32)
    torch.backends.cudnn.benchmark = True
    model = load({name: torch.from_numpy(value) for name, value in given["weights"].items()}).to(device)
    if form.merged:
        merge_batch_norm(model)
    if form.half:
        model = model.half().to(memory_format=torch.channels_last)
    return model, (ready_half if form.half else ready_float)


def ready_half(batch):
    return batch.to(dtype=torch.float16, memory_format=torch.channels_last)


def ready_float(batch):
    return batch


def compiled(work, mode):
    """The function or network, compiled when it is first called, for one shape. Forgets what was compiled before."""
    torch.compiler.reset()
    return torch.compile(work, dynamic=False, mode=mode)


def images_of(given, batch, device):
    """A batch of the given images, over and over."""
    images = torch.from_numpy(given["images"]).to(device)
    return images[torch.arange(batch, device=device) % images.shape[0]]


def logits_difference(form, network, ready, given, device, batch=10):
    """Largest difference of its logits from ours over a batch. Raises ArithmeticError where it is too large."""
    with torch.inference_mode():
        logits = network(ready(images_of(given, batch, device))).float().cpu().numpy()
    expected = given["logits"][np.arange(batch) % given["logits"].shape[0]]
    return within(form.logits, float(abs(logits - expected).max()), "logits")


def within(bound, difference, what):
    """The difference. Raises ArithmeticError where it is larger than the bound, or not a number."""
    if difference <= bound:
        return difference
    raise ArithmeticError(f"{what} differ from ours by {difference:.3g}, more than {bound:g}")


def merge_batch_norm(model):
    """Puts each batch normalisation into the convolution before it."""
    model.conv1, model.bn1 = fuse_conv_bn_eval(model.conv1, model.bn1), torch.nn.Identity()
    for block in (module for module in model.modules() if isinstance(module, Bottleneck)):
        block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), torch.nn.Identity()
        block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), torch.nn.Identity()
        block.conv3, block.bn3 = fuse_conv_bn_eval(block.conv3, block.bn3), torch.nn.Identity()
        if block.downsample is not None:
            block.downsample = torch.nn.Sequential(fuse_conv_bn_eval(*block.downsample))
