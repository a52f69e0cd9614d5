/** Flags of the WebGPU specification, under its names. Outside of browsers they are no globals. */
export const MAP_READ = 0x0001;
export const MAP_WRITE = 0x0002;
export const COPY_SRC = 0x0004;
export const COPY_DST = 0x0008;
export const UNIFORM = 0x0040;
export const STORAGE = 0x0080;
export const QUERY_RESOLVE = 0x0200;

/** GPUMapMode */
export const MODE_READ = 0x0001;
export const MODE_WRITE = 0x0002;

/** GPUShaderStage.COMPUTE */
export const STAGE_COMPUTE = 0x4;
