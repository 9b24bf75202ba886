/** Places near what is `wanted`, in order and at least `apart` from one to the next: least squares with
 *  `weights`, by pooling neighbours that would overlap. */
export function fitApart(wanted: readonly number[], apart: readonly number[], weights: readonly number[]): number[] {
  const offsets = [0];
  for (const gap of apart) offsets.push(offsets[offsets.length - 1]! + gap);
  const means: number[] = [];
  const heavy: number[] = [];
  const lengths: number[] = [];
  wanted.forEach((want, place) => {
    let mean = want - offsets[place]!;
    let weight = weights[place]!;
    let length = 1;
    while (means.length && means[means.length - 1]! > mean) {
      const before = heavy.pop()!;
      const total = before + weight;
      mean = (means.pop()! * before + mean * weight) / total;
      weight = total;
      length += lengths.pop()!;
    }
    means.push(mean);
    heavy.push(weight);
    lengths.push(length);
  });
  const fitted: number[] = [];
  means.forEach((mean, block) => {
    for (let count = 0; count < lengths[block]!; count += 1) fitted.push(mean + offsets[fitted.length]!);
  });
  return fitted;
}
