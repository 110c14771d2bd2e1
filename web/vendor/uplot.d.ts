// What this page uses of uPlot.
export default class uPlot {
  constructor(options: Record<string, any>, data: ArrayLike<number>[], place: HTMLElement);
  ctx: CanvasRenderingContext2D;
  bbox: { left: number; top: number; width: number; height: number };
  over: HTMLElement;
  scales: Record<string, { min: number; max: number }>;
  batch(change: () => void): void;
  destroy(): void;
  setData(data: ArrayLike<number>[], resetScales: boolean): void;
  setScale(name: string, range: { min: number; max: number }): void;
  setSize(size: { width: number; height: number }): void;
  valToPos(value: number, scale: string, inCanvas: boolean): number;
}
