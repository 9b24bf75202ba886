// Phrases of errors, reasons and notes of one language: only the studio shows them.
const files = import.meta.glob<Record<string, string>>("./*.json", { eager: true, import: "default" });

export default Object.assign({}, ...Object.values(files)) as Record<string, string>;
