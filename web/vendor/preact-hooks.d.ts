// What this page uses of preact/hooks.
export function useEffect(effect: () => void | undefined | (() => void), inputs?: unknown[]): void;
export function useRef<T>(first: T): { current: T };
export function useState<T>(first: T): [T, (next: T) => void];
