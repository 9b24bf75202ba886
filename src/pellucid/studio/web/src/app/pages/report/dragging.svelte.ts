// Which item of the report is being dragged, and over which one it is.
export const drag = $state<{ from: number | null; over: number | null }>({ from: null, over: null });
