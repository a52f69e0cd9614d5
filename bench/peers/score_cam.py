"""Score-CAM in the popular package's form, twice: as the package goes about it, and as well as PyTorch allows.

    U = corner-aligned resize of the activations    M = (U - min U) / (max U - min U + 1e-8)
    weights = softmax over channels of the target's logit for image * M
    map = min-max of the half-pixel resize of min-max of ReLU(sum of weights * activations)

Source: Wang et al. 2020, arXiv 1910.01279; the form is that of pytorch-grad-cam 084273b, written from its description.
"""

import numpy as np
import torch
import torch.nn.functional as F

from networks import compiled


def as_the_package(model, image, target):
    """The whole stack of masked images at once, batches of 16, each score fetched by itself, the rest in NumPy."""
    kept = []
    hook = model.layer4.register_forward_hook(lambda module, inputs, output: kept.append(output.detach().cpu()))
    with torch.no_grad():
        model(image)
        hook.remove()
        activations = kept[0].numpy()
        device_copy = torch.from_numpy(activations).to(image.device)
        upsampled = F.interpolate(device_copy, image.shape[-2:], mode="bilinear", align_corners=True)
        flat = upsampled.flatten(2)
        highest, lowest = flat.max(dim=-1)[0][:, :, None, None], flat.min(dim=-1)[0][:, :, None, None]
        masks = (upsampled - lowest) / (highest - lowest + 1e-8)
        masked = (image[:, None] * masks[:, :, None])[0]
        scores = []
        for start in range(0, masked.shape[0], 16):
            outputs = model(masked[start : start + 16])
            scores.extend(output[target].cpu().item() for output in outputs)
        weights = torch.softmax(torch.tensor(scores), dim=0).numpy()
    raw = np.maximum((weights[:, None, None] * activations[0]).sum(axis=0), 0)
    small = torch.from_numpy(stretch(raw))[None, None]
    large = F.interpolate(small, image.shape[-2:], mode="bilinear", align_corners=False)
    return stretch(np.maximum(large[0, 0].numpy(), 0))


def stretch(values):
    values = values - values.min()
    return values / (values.max() + 1e-7)


def make_skilled(network, ready, target, batch, mode):
    """A function image 1x3xHxW -> map HxW that stays on the device and never waits for it.

    Masks are made there a batch at a time. With a `mode` of torch.compile, masks and network become one function. The
    number of channels should be a multiple of the batch, so that there is one shape only.
    """

    def scores_of(image, part):
        upsampled = F.interpolate(part[:, None], image.shape[-2:], mode="bilinear", align_corners=True)
        lowest, highest = upsampled.amin((2, 3), keepdim=True), upsampled.amax((2, 3), keepdim=True)
        mask = (upsampled - lowest) / (highest - lowest + 1e-8)
        return network(ready(image * mask))[:, target].float()

    step = compiled(scores_of, mode) if mode else scores_of

    @torch.inference_mode()
    def explain(image):
        activations = network.features(ready(image))[0].float().contiguous()
        # cloned, because the next call of a compiled function may write where this one did
        parts = [step(image, activations[at : at + batch]).clone() for at in range(0, activations.shape[0], batch)]
        weights = torch.softmax(torch.cat(parts), dim=0)
        raw = torch.einsum("k,khw->hw", weights, activations).relu()
        large = F.interpolate(stretch_there(raw)[None, None], image.shape[-2:], mode="bilinear", align_corners=False)
        return stretch_there(large[0, 0].relu())

    return explain


def stretch_there(values):
    values = values - values.amin()
    return values / (values.amax() + 1e-7)
