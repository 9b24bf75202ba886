import { afterEach, beforeEach, expect, test } from "vitest";
import { flushSync } from "svelte";
import { setLanguage } from "./i18n.svelte";
import { fetchPhrases, morePhrases, phrase, phrases } from "./phrases.svelte";

const files = import.meta.glob<Record<string, string>>("../phrases/zh/**/*.json", { eager: true, import: "default" });
const entries = Object.values(files).flatMap((words) => Object.entries(words));

morePhrases("zh", () => import("../phrases/zh/errors"));
beforeEach(async () => {
  setLanguage("zh");
  await fetchPhrases();
});
afterEach(() => setLanguage("en"));

test("in English every text stays as it is", () => {
  setLanguage("en");
  expect(phrase("Most confident mistakes")).toBe("Most confident mistakes");
  expect(phrases(["right", "wrong"])).toEqual(["right", "wrong"]);
});

test("a phrase is translated as a whole; what is not known stays", () => {
  expect(phrase("Most confident mistakes")).toBe("把握最大的错误");
  expect(phrase("Nobody knows this. Nor this.")).toBe("Nobody knows this. Nor this.");
  expect(phrase("")).toBe("");
});

test("places keep what stands in them", () => {
  expect(phrase("Evaluate resnet18 on my cats")).toBe("在 my cats 上评估 resnet18");
  expect(phrase("{label} (AUC 0.912)")).toBe("{label}（AUC 0.912）");
  expect(phrase("95 % interval 89.2–93.6 %")).toBe("95 % 区间 89.2–93.6 %");
  expect(phrase("95\u00a0% interval 89.2–93.6\u00a0%")).toBe("95 % 区间 89.2–93.6 %");
});

test("a place for a number takes numbers alone", () => {
  expect(phrase("1 sample")).toBe("1 个样本");
  expect(phrase("1,300 samples")).toBe("1,300 个样本");
  expect(phrase("my samples")).toBe("my samples");
});

test("a place for a phrase takes phrases alone, however deep", () => {
  expect(phrase("photo.png: Saliency")).toBe("photo.png：显著图");
  expect(phrase("photo.png: Third-party")).toBe("photo.png: Third-party");
  expect(phrase("Resolution: a grid of 7 × 7 segments of layer layer4.")).toBe("分辨率：7 × 7 的分块网格（层 layer4）。");
});

test("lists are joined as the language does", () => {
  expect(phrase("Only B knows Cat, Dog and 2 more.")).toBe("只有 B 认识 Cat、Dog、另外 2 项。");
  expect(phrase("3 samples explained with Saliency, LIME and 2 more.")).toBe("用显著图、LIME、另外 2 项解释了 3 个样本。");
});

test("a caption is translated sentence by sentence, of phrases as long as they are", () => {
  const said = phrase("The model answered 'cat' with 91 %, which is right. Red areas speak for 'cat', blue areas against it. Something new.");
  expect(said).toBe("模型以 91 % 的概率回答 'cat'，回答正确。红色区域支持 'cat'，蓝色区域反对。Something new.");
});

test("an error says in Chinese what was wrong and what to do; names stay", () => {
  expect(phrase("layer 'layer9' is not in ResNet. Closest: 'layer4', 'layer3'.")).toBe("ResNet 中没有层 'layer9'。最接近的是：'layer4', 'layer3'。");
  expect(phrase("'vargrad' needs gradients, but the model's output has no gradient with respect to its input. Methods that work without: 'lime'.")).toBe(
    "'vargrad' 需要梯度，但模型的输出对其输入没有梯度。不需要梯度的方法：'lime'。",
  );
});

test("a text of several lines keeps them, and what is code in it", () => {
  const said = phrase("w.pt does not fit Net:\n  2 missing: 'fc.weight', 'fc.bias'\n    net.load(state)\nGive weights of this very architecture and number of classes.");
  expect(said).toBe("w.pt 与 Net 不符：\n  缺少 2 个：'fc.weight', 'fc.bias'\n    net.load(state)\n请使用架构和类别数完全相同的权重。");
});

test("signs with a meaning in patterns are taken as they are", () => {
  expect(phrase("predicted by all others (R²)")).toBe("由其余单元预测（R²）");
  expect(phrase("[Random order]")).toBe("[随机顺序]");
  expect(phrase("layer1:3 (64 units)")).toBe("layer1:3（64 个单元）");
  expect(phrase("Xpredicted by all others (R²)")).toBe("Xpredicted by all others (R²)");
});

test("names beside each other are translated together or not at all", () => {
  expect(phrases(["right", "wrong"])).toEqual(["正确", "错误"]);
  expect(phrases(["right", "cat"])).toEqual(["right", "cat"]);
  expect(phrases(["yes", null, "12"])).toEqual(["是", null, "12"]);
});

test("a change of language is followed", () => {
  const seen: string[] = [];
  const stop = $effect.root(() => {
    const said = $derived(phrase("Accuracy"));
    $effect(() => void seen.push(said));
  });
  flushSync();
  setLanguage("en");
  flushSync();
  stop();
  expect(seen).toEqual(["准确率", "Accuracy"]);
});

test("each phrase is told once, with the same places in its translation", () => {
  const keys = entries.map(([key]) => key);
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  const places = (text: string) => [...new Set([...text.matchAll(/\{[#+*]?(\w+)\}/g)].map((found) => found[1]))].sort();
  expect(entries.filter(([key, words]) => places(key).join() !== places(words).join())).toEqual([]);
});
