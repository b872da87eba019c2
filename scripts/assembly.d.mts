export declare const kernelNames: string[]
export declare function compileKernel(name: string): Promise<string>
export declare function pathOf(name: string): string
