import 'vega';

// exported by vega-scenegraph for users to replace, and absent from vega's types
declare module 'vega' {
  export const textMetrics: {
    width: (item: { fontSize?: number; fontWeight?: string | number; limit?: number }, text: unknown) => number;
  };
}
