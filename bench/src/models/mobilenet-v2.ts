import { GraphBuilder } from './graph-builder.js';

/** Rows of table 2 of the paper: expansion, output channels, repetitions, stride of the first. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 1.0 (Sandler et al. 2018): `image` [batch, 3, 224, 224] to `scores` [batch, 1000].
 * 3.5 M parameters, batch normalisation already folded into the convolutions.
 */
export function mobilenetV2(): Uint8Array {
  const model = new GraphBuilder('mobilenet-v2', 1);
  let x = model.input('image', 'float32', ['batch', 3, 224, 224]);
  x = model.relu6(model.conv(x, { inChannels: 3, outChannels: 32, kernel: 3, stride: 2 }));
  let channels = 32;
  for (const [expansion, outChannels, repetitions, firstStride] of stages) {
    for (let index = 0; index < repetitions; index++) {
      const stride = index === 0 ? firstStride : 1;
      x = invertedResidual(model, x, channels, outChannels, expansion, stride);
      channels = outChannels;
    }
  }
  x = model.relu6(model.conv(x, { inChannels: channels, outChannels: 1280, kernel: 1 }));
  model.output('scores', model.classifier(x, 1280, 1000), ['batch', 1000]);
  return model.finish();
}

function invertedResidual(
  model: GraphBuilder,
  x: string,
  inChannels: number,
  outChannels: number,
  expansion: number,
  stride: number,
): string {
  const hidden = inChannels * expansion;
  let y = x;
  if (expansion > 1) {
    y = model.relu6(model.conv(y, { inChannels, outChannels: hidden, kernel: 1 }));
  }
  const depthwise = { inChannels: hidden, outChannels: hidden, kernel: 3, stride, group: hidden };
  y = model.relu6(model.conv(y, depthwise));
  const residual = stride === 1 && inChannels === outChannels;
  y = model.conv(y, { inChannels: hidden, outChannels, kernel: 1, gain: residual ? 0.5 : 2 });
  return residual ? model.add(x, y) : y;
}
