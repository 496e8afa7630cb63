import { int, ints, GraphBuilder } from './graph-builder.js';

/** Bottleneck channels and blocks of the four stages (He et al. 2015, table 1). */
const stages = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

/**
 * ResNet-50 v1.5 (stride in the 3x3 convolutions): `image` [batch, 3, 224, 224] to `scores`
 * [batch, 1000]. 25.6 M parameters, batch normalisation already folded into the convolutions.
 */
export function resnet50(): Uint8Array {
  const model = new GraphBuilder('resnet-50', 2);
  let x = model.input('image', 'float32', ['batch', 3, 224, 224]);
  x = model.relu(model.conv(x, { inChannels: 3, outChannels: 64, kernel: 7, stride: 2 }));
  x = model.node('MaxPool', [x], {
    kernel_shape: ints(3, 3),
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
    ceil_mode: int(0),
  });
  let channels = 64;
  for (const [stage, [width, blocks]] of stages.entries()) {
    for (let block = 0; block < blocks; block++) {
      x = bottleneck(model, x, channels, width, block === 0 && stage > 0 ? 2 : 1);
      channels = width * 4;
    }
  }
  model.output('scores', model.classifier(x, channels, 1000), ['batch', 1000]);
  return model.finish();
}

function bottleneck(
  model: GraphBuilder,
  x: string,
  inChannels: number,
  width: number,
  stride: number,
): string {
  const outChannels = width * 4;
  let y = model.relu(model.conv(x, { inChannels, outChannels: width, kernel: 1 }));
  y = model.relu(model.conv(y, { inChannels: width, outChannels: width, kernel: 3, stride }));
  y = model.conv(y, { inChannels: width, outChannels, kernel: 1, gain: 0.5 });
  const shortcut =
    inChannels === outChannels
      ? x
      : model.conv(x, { inChannels, outChannels, kernel: 1, stride, gain: 1 });
  return model.relu(model.add(y, shortcut));
}
