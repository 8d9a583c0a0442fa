#!/bin/sh
# Writes the files of a new lab and registers it. What must be filled in is marked with TODO, which the tests refuse.
# NAME: the lab's name. GROUP: threads, calls or operations. ROOT: the repository [default: that of this script].
# Everything is checked before anything is written.
set -eu
LC_ALL=C
export LC_ALL
root=${ROOT:-$(dirname "$0")/..}

# fail MESSAGE: bad input.
fail() {
  echo "make new-lab: $1" >&2
  exit 2
}

name=${NAME:-}
group=${GROUP:-}
usage='make new-lab NAME=no-deadline GROUP=calls'
case $group in
  threads | calls | operations) ;;
  *) fail "GROUP is '$group', expected threads, calls or operations: $usage" ;;
esac
case $name in
  '' | -* | *- | *--* | [0-9]* | *[!a-z0-9-]*)
    fail "NAME is '$name', expected lower-case words with hyphens between them: $usage" ;;
esac
[ "${#name}" -le 25 ] || fail "NAME is '$name', expected at most 25 characters"
stem=$(echo "$name" | tr - _)
case " as async await box break const continue crate do dyn else enum extern false final fn for gen if impl in let loop \
 macro match mod move mut pub ref return self static struct super trait true try type unsafe use where while yield " in
  *" $stem "*) fail "NAME is '$name', which is a word of Rust: choose another" ;;
esac
# `no-deadline` becomes `NoDeadline`.
type=$(echo "$name" | awk -F - '{ for (i = 1; i <= NF; i++) printf "%s%s", toupper(substr($i, 1, 1)), substr($i, 2) }')

mistake=broken-server/src/mistakes/$group/$stem.rs
lab=loadgen/src/labs/$stem.rs
chapter=workshop/src/$group/$name.md
mistakes=broken-server/src/mistakes/$group.rs
labs=loadgen/src/labs.rs
for file in "$root"/broken-server/src/mistakes/*/"$stem.rs" "$root/broken-server/src/mistakes/$stem.rs" "$root/$lab" "$root"/workshop/src/*/"$name.md"; do
  [ ! -e "$file" ] || fail "there is a '$name' already: ${file#"$root"/}"
done
# has FILE PATTERN WHAT: whether it can be registered there.
has() {
  grep -q "$2" "$root/$1" 2>/dev/null || fail "$1 has no $3"
}
has "$mistakes" 'const MISTAKES' 'list MISTAKES'
has "$labs" "^ *// $group\$" "comment '// $group' in its list"

# with_module FILE DECLARATION: FILE with this line in its first block of modules, which are sorted, or after its uses.
with_module() {
  awk -v line="$2" '
    { lines[NR] = $0 }
    index($0, substr(line, 1, index(line, "mod ") + 3)) == 1 {
      if (!last || last == NR - 1) last = NR
      if (!at && last == NR && $0 > line) at = NR
    }
    /^use / { use = NR }
    END {
      if (!at && last) at = last + 1
      for (i = 1; i <= NR; i++) {
        if (i == at) print line
        print lines[i]
        if (!at && i == use) print "\n" line
      }
    }' "$1"
}

# with_entry FILE ENTRY: FILE of a group with this entry at the end of `MISTAKES`, which may be one line.
with_entry() {
  awk -v entry="$2" '
    /const MISTAKES/ { within = 1 }
    within && /\];$/ {
      if ($0 == "];") print "    " entry ","
      else { sub(/\];$/, ""); $0 = $0 (/\[$/ ? "" : ", ") entry "];" }
      within = 0
    }
    { print }' "$1"
}

# with_lab FILE ENTRY: FILE of the labs with this entry at the end of its group, before the comment of the next.
with_lab() {
  awk -v entry="$2" -v group="$group" '
    within && (/^ *\/\/ / || /^ *\]/) { print indent entry ","; within = 0 }
    { print }
    $1 == "//" && $2 == group && NF == 2 { within = 1; indent = substr($0, 1, index($0, "/") - 1) }' "$1"
}

# edit FILE FUNCTION LINE: replaces FILE by what FUNCTION makes of it.
edit() {
  "$2" "$root/$1" "$3" >"$root/$1.new"
  mv "$root/$1.new" "$root/$1"
}

# write FILE TEMPLATE: fills a template in.
write() {
  mkdir -p "$(dirname "$root/$1")"
  sed -e "s/@NAME@/$name/g" -e "s/@STEM@/$stem/g" -e "s/@TYPE@/$type/g" -e "s/@GROUP@/$group/g" \
    -e "s/@GROUP_TYPE@/$group_type/g" "$(dirname "$0")/new-lab/$2" >"$root/$1"
}

case $group in
  threads) group_type=Threads ;;
  calls) group_type=Calls ;;
  *) group_type=Operations ;;
esac
write "$mistake" mistake.rs
write "$lab" lab.rs
write "$chapter" chapter.md
edit "$mistakes" with_module "pub(crate) mod $stem;"
edit "$mistakes" with_entry "$stem::ENTRY"
edit "$labs" with_module "mod $stem;"
edit "$labs" with_lab "$stem::lab()"

cat <<TEXT
  New:         $mistake
               $lab
               $chapter
  Registered:  $mistakes
               $labs

  It compiles, and lab $name runs: its mistake is still the control. What is left:

  1. Fill in what is marked TODO, the mistake first. Its parts are in broken-server/src/mistakes/none.rs.
  2. Mark the fix, in the file that the lab names as fix_file, between an ANCHOR and its end:
         // FIX $name: why this is right.
  3. See it hold, and not hold without its mistake:
         make lab NAME=$name
         target/release/loadgen lab $name --mistake none
  4. Write what the chapter shows, and the lists in README.md and workshop/README.md:
         make outputs NAMES=$name
         make lists
  5. For whatever is missing, this names the file and the line to write:
         make lint test-fast

  CONTRIBUTING.md has an example.
TEXT
