// What this page uses of htm.
declare const htm: {
  bind(h: Function): (text: TemplateStringsArray, ...values: unknown[]) => any;
};
export default htm;
