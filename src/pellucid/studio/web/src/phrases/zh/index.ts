// All phrases of one language, fetched together by readers of it.
const files = import.meta.glob<Record<string, string>>("./*.json", { eager: true, import: "default" });

export default Object.assign({}, ...Object.values(files)) as Record<string, string>;
