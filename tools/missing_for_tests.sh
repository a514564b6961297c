#!/bin/sh
# Says in Chinese and English which tests will skip here for want of a package of the system; never fails.
set -eu

skipped() { # which tests, what is missing, Debian package
    printf '%s测试将跳过：缺少 %s。\n%s tests will skip: %s is missing.\n' "$1" "$3" "$2" "$3"
    printf '    Debian / Ubuntu:  apt-get install %s\n\n' "$4"
}

command -v java >/dev/null 2>&1 || [ -n "${JAVA_HOME:-}" ] ||
    skipped "Spark " "Spark" "Java 17" "openjdk-17-jre-headless"
command -v chromium >/dev/null 2>&1 ||
    skipped "浏览器" "Browser" "Chromium" "chromium fonts-noto-cjk"
