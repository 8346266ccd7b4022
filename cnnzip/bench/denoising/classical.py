"""The denoisers of scipy, scikit-image and OpenCV, and BM3D.

What has parameters is tuned for mean PSNR on BSDS500's validation pictures by `python -m cnnzip.bench.denoising.tune`;
`tuned` holds the outcome. BM3D is used as its authors' package does by default, told sigma.
"""

from abc import abstractmethod
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.noise import Noise, Samples, to_pixels


class Noisy(Denoiser):
    """Leaves the picture as it is."""

    name, label = "noisy", "Noisy input"

    @property
    def version(self) -> str:
        """There is nothing that could change."""
        return "–"

    def takes(self, noise: Noise) -> bool:
        """Any."""
        return True

    def denoise(self, noisy: Samples, sigma: float) -> tuple[Samples, float | None]:
        """`noisy`."""
        return noisy, None


class Library(Denoiser):
    """What installed packages do."""

    packages: ClassVar[tuple[str, ...]]
    """As pip knows them; the first one does the work."""

    @property
    def version(self) -> str:
        """Of the packages."""
        return ", ".join(f"{name} {version(name)}" for name in self.packages)

    def available(self) -> str | None:
        """Whether the packages are installed."""
        for name in self.packages:
            try:
                version(name)
            except PackageNotFoundError:
                return f"{name} is not installed"
        return None


class Tuned(Library):
    """A method whose parameters were chosen for some values of sigma; others take those of the nearest."""

    tuned: ClassVar[dict[float, tuple[Any, ...]]]
    """sigma: parameters."""
    grid: ClassVar[tuple[tuple[Any, ...], ...]]
    """Of each parameter, the values that were tried."""
    meaning: ClassVar[str]
    """What the parameters are, with a place for each."""

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        places = ", ".join(f"σ {sigma:g}: {self.meaning.format(*found)}" for sigma, found in self.tuned.items())
        self.settings = f"tuned on BSDS500 validation: {places}"

    def denoise(self, noisy: Samples, sigma: float) -> tuple[Samples, float | None]:
        """Denoise with the parameters for `sigma`."""
        nearest = min(self.tuned, key=lambda known: abs(known - sigma))
        return self.apply(noisy, sigma, *self.tuned[nearest]), None

    @abstractmethod
    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """Denoise with these parameters."""


class Gaussian(Tuned):
    """Convolution with a Gaussian."""

    name, label, packages = "gaussian", "Gaussian filter", ("scipy",)
    meaning = "{} px"
    grid = ((0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0),)
    tuned: ClassVar = {15: (0.6,), 25: (0.9,), 50: (1.7,)}

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: the standard deviation in pixels."""
        from scipy.ndimage import gaussian_filter

        return np.asarray(gaussian_filter(noisy, (*parameters, *parameters, 0)))


class Median(Tuned):
    """The median of each sample's square neighbourhood."""

    name, label, packages = "median", "Median filter", ("scipy",)
    meaning = "{0}×{0}"
    grid = ((3, 5, 7),)
    tuned: ClassVar = {15: (3,), 25: (3,), 50: (7,)}

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: the side in pixels."""
        from scipy.ndimage import median_filter

        return np.asarray(median_filter(noisy, size=(*parameters, *parameters, 1)))


class OpenCvNlm(Tuned):
    """Non-local means (Buades, Coll, Morel, IPOL 2011) by OpenCV, in CIELAB, at its default windows."""

    name, label, packages = "opencv-nlm", "NLM (OpenCV)", ("opencv-python-headless",)
    eight_bit_only = True
    meaning = "h {}σ, colour {}σ"
    grid = ((0.3, 0.4, 0.5, 0.6, 0.7), (0.5, 0.7, 1.0))
    tuned: ClassVar = {15: (0.5, 0.7), 25: (0.5, 0.7), 50: (0.6, 0.7)}

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        self.settings = f"windows 7 and 21; {self.settings}"

    @property
    def used_threads(self) -> int:
        """As many as it is given."""
        return self.threads

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: its h for luma and for colour, divided by sigma."""
        import cv2

        cv2.setNumThreads(self.threads)
        luma, color = (factor * sigma for factor in parameters)
        # OpenCV's channels are blue, green and red.
        pixels = np.ascontiguousarray(to_pixels(noisy)[..., ::-1])
        denoised = cv2.fastNlMeansDenoisingColored(pixels, None, luma, color, 7, 21)
        return np.asarray(denoised[..., ::-1] / np.float32(255))


class Wavelet(Tuned):
    """Soft thresholds for wavelet coefficients in YCbCr by scikit-image, told sigma."""

    packages = ("scikit-image", "PyWavelets")
    method: ClassVar[str]
    meaning = "{} at {}σ"
    grid = (("db1", "db2", "db3", "db4", "sym4"), (0.15, 0.25, 0.35, 0.5, 1.0))

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: the wavelet, and by what sigma is multiplied."""
        from skimage.restoration import denoise_wavelet

        wavelet, factor = parameters
        options = {"wavelet": wavelet, "method": self.method, "rescale_sigma": True}
        return np.asarray(
            denoise_wavelet(noisy, factor * sigma / 255, channel_axis=-1, convert2ycbcr=True, **options), np.float32
        )


class BayesShrink(Wavelet):
    """A threshold a subband (Chang, Yu, Vetterli, TIP 2000)."""

    name, label, method = "wavelet-bayes", "Wavelet, BayesShrink", "BayesShrink"
    tuned: ClassVar = {15: ("db3", 1.0), 25: ("db3", 1.0), 50: ("db3", 1.0)}


class VisuShrink(Wavelet):
    """One threshold for all (Donoho, Johnstone, Biometrika 1994)."""

    name, label, method = "wavelet-visu", "Wavelet, VisuShrink", "VisuShrink"
    tuned: ClassVar = {15: ("db3", 0.25), 25: ("db3", 0.35), 50: ("db3", 0.5)}


class TotalVariation(Tuned):
    """Total variation (Chambolle, JMIV 2004) by scikit-image."""

    name, label, packages = "tv", "TV (Chambolle)", ("scikit-image",)
    meaning = "weight {}σ"
    grid = ((0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2),)
    tuned: ClassVar = {15: (0.6,), 25: (0.7,), 50: (1.0,)}

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: the weight, divided by sigma."""
        from skimage.restoration import denoise_tv_chambolle

        (factor,) = parameters
        return np.asarray(denoise_tv_chambolle(noisy, weight=factor * sigma / 255, channel_axis=-1))


class Nlm(Tuned):
    """Non-local means by scikit-image in its fast mode (Darbon et al., ISBI 2008), told sigma."""

    name, label, packages = "nlm", "NLM (scikit-image)", ("scikit-image",)
    meaning = "h {}σ"
    grid = ((0.4, 0.5, 0.6, 0.7, 0.8),)
    tuned: ClassVar = {15: (0.6,), 25: (0.5,), 50: (0.5,)}

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        self.settings = f"patches of 5, distance 6, fast mode; {self.settings}"

    def apply(self, noisy: Samples, sigma: float, *parameters: Any) -> Samples:
        """`parameters`: its h, divided by sigma."""
        from skimage.restoration import denoise_nl_means

        (factor,) = parameters
        options = {"patch_size": 5, "patch_distance": 6, "fast_mode": True, "channel_axis": -1}
        return np.asarray(denoise_nl_means(noisy, h=factor * sigma / 255, sigma=sigma / 255, **options))


class Bm3d(Library):
    """Colour BM3D (Dabov et al., ICIP 2007; Mäkinen et al., TIP 2020) by its authors' package, told sigma.

    The package may be used for non-commercial purposes only, so it is in no extra and only measured on request. It is
    slow, too.
    """

    name, label, packages = "bm3d", "CBM3D", ("bm3d", "bm4d")
    settings = "default profile"
    by_default = False

    @property
    def used_threads(self) -> int:
        """Not known."""
        return 0

    def denoise(self, noisy: Samples, sigma: float) -> tuple[Samples, float | None]:
        """Denoise."""
        from bm3d import bm3d_rgb

        return np.asarray(bm3d_rgb(noisy, sigma_psd=sigma / 255), np.float32), None
