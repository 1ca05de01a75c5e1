"""What is heard of a recording: cepstral coefficients, and tones that are made."""

import numpy as np
import pytest
import scipy.fft
from recordings import RATE, tone

from rnnkit.data.prepare import audio
from rnnkit.data.sources import read, touch_tones
from rnnkit.params.data import MFCC, Fractions
from rnnkit.params.source import Builtin


def by_hand(samples: np.ndarray, params: MFCC) -> np.ndarray:
    """The coefficients by the equations, with librosa's mel filters."""
    import librosa

    transform, window, hop = audio.sizes(RATE, params)
    shape = np.pad(
        np.hanning(window + 1)[:-1],
        ((transform - window) // 2, transform - window - (transform - window) // 2),
    )
    filters = librosa.filters.mel(sr=RATE, n_fft=transform, n_mels=params.bands)
    rows = []
    for begin in range(0, len(samples) - transform + 1, hop):
        power = np.abs(np.fft.rfft(samples[begin : begin + transform] * shape)) ** 2
        logarithms = np.log(np.maximum(filters @ power, audio.MIN_ENERGY))
        rows.append(scipy.fft.dct(logarithms, norm="ortho")[: params.coefficients])
    return np.array(rows)


def test_coefficients_are_their_equations() -> None:
    params = MFCC(deltas=0, normalize="none")
    samples = np.random.default_rng(0).normal(size=2_000).astype(np.float32)
    found = audio.features(samples, RATE, params)
    assert found.shape == ((2_000 - 256) // 80 + 1, 13)
    assert np.allclose(found, by_hand(samples, params), atol=2e-3)


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_slopes_stand_beside_and_every_recording_is_scaled_by_itself(deltas: int) -> None:
    params = MFCC(coefficients=5, deltas=deltas)
    found = audio.features(tone(0.5).astype(np.float32), RATE, params)
    assert found.shape[1] == 5 * (deltas + 1) == len(audio.names(params))
    assert np.allclose(found.mean(axis=0), 0, atol=1e-3)
    assert (found.std(axis=0) < 1.01).all()


@pytest.mark.parametrize("length", [100, 800, 8_123])
def test_silence_has_no_features(length: int) -> None:
    found = audio.features(np.zeros(length, dtype=np.float32), RATE, MFCC())
    assert np.abs(found).max() < 1e-6  # and no rounding made large by its own deviation


def test_a_slope_is_that_of_a_line() -> None:
    params = MFCC(coefficients=1, deltas=1, normalize="none")
    louder = np.concatenate([np.full(80, np.exp(k / 40)) for k in range(60)])
    noise = np.random.default_rng(1).choice([-0.05, 0.05], size=len(louder))
    found = audio.features((louder * noise).astype(np.float32), RATE, params)
    middle = found[10:-10]
    assert middle[:, 1].mean() == pytest.approx(np.diff(middle[:, 0]).mean(), rel=0.1)


@pytest.mark.parametrize("length", [1, 100, 255, 256])
def test_a_short_recording_is_one_frame(length: int) -> None:
    found = audio.features(tone()[:length].astype(np.float32), RATE, MFCC())
    assert found.shape == (1, 39)
    assert np.isfinite(found).all()


def test_many_processes_hear_what_one_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [tone(0.1 + 0.05 * k).astype(np.float32) for k in range(9)]
    alone = [audio.features(item, RATE, MFCC()) for item in samples]
    monkeypatch.setattr(audio, "PARALLEL_SECONDS", 0.0)
    together = audio.all_features(samples, RATE, MFCC())
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_touch_tones_are_what_the_recommendation_says() -> None:
    frame = read(Builtin(name="touch_tones"), Fractions())
    assert len(frame) == touch_tones.ITEMS
    assert frame["text"].str.len().between(touch_tones.MIN_KEYS, touch_tones.MAX_KEYS).all()
    samples, keys = touch_tones.recording(3)
    again, same = touch_tones.recording(3)
    assert np.array_equal(samples, again)
    assert keys == same
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / touch_tones.RATE)
    wanted = {tone_ for key in keys for tone_ in tones_of(key)}
    loud = {f for f in touch_tones.ROWS + touch_tones.COLUMNS if near(power, hertz, f)}
    assert loud == wanted


def tones_of(key: str) -> tuple[int, int]:
    row = next(r for r, line in enumerate(touch_tones.KEYS) if key in line)
    column = touch_tones.KEYS[row].index(key)
    return touch_tones.ROWS[row], touch_tones.COLUMNS[column]


def near(power: np.ndarray, hertz: np.ndarray, wanted: float) -> bool:
    inside = power[np.abs(hertz - wanted) < 8].max()
    return bool(inside > 20 * np.median(power))
