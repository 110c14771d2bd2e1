// What this page uses of @preact/signals.
export interface Signal<T> {
  value: T;
  peek(): T;
}
export function signal<T>(value: T): Signal<T>;
export function batch<T>(change: () => T): T;
export function effect(run: () => void): () => void;
export function useComputed<T>(compute: () => T): Signal<T>;
