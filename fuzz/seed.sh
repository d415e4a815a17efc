#!/usr/bin/env bash
# seed.sh [DIR]: fills fuzz/corpus, or DIR, from tests/corpus, src/short_forms.tsv and found/.
set -euo pipefail
corpus=$(realpath -m "${1:-$(dirname "$0")/corpus}")
cd "$(dirname "$0")"
for target in stack dotenv interpolation short_forms; do
  mkdir -p "$corpus/$target"
  for file in "found/$target"/*; do
    [ -f "$file" ] && cp "$file" "$corpus/$target/"
  done
done

# A folder of tests/corpus is one input: compose.yaml, then the other files, each behind its name.
for folder in ../tests/corpus/*/; do
  name=$(basename "$folder")
  {
    cat "$folder/compose.yaml"
    (cd "$folder" && find . -type f ! -path ./compose.yaml | sort) | while read -r file; do
      printf '\n#== %s\n' "${file#./}"
      cat "$folder/$file"
    done
  } >"$corpus/stack/$name"
  cp "$folder/compose.yaml" "$corpus/interpolation/$name"
done
cp ../stacks/*.yaml "$corpus/stack/"

find ../tests/corpus ../.env.example -name '*.env*' -type f | while read -r file; do
  cp "$file" "$corpus/dotenv/$(printf %s "${file#../}" | tr / _)"
done

# The first byte of a short form says which it is: a blank for the first line, `!` for the second, …
LC_ALL=C awk -F '\t' -v corpus="$corpus" '{
  for (at = 2; at <= NF; at++) {
    file = corpus "/short_forms/" NR "-" at
    printf "%c%s", NR + 31, $at >file
    close(file)
  }
}' src/short_forms.tsv
