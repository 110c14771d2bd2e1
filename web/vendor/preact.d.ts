// What this page uses of preact.
export type VNode = unknown;
export function h(type: unknown, props: object | null, ...children: unknown[]): VNode;
export function render(what: VNode, into: Element): void;
