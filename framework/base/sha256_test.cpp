#include "base/sha256.hpp"

#include <gtest/gtest.h>

// Vectors of FIPS 180-4's examples (NIST, "SHA-256 example values").
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(flowrun::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(flowrun::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  flowrun::Sha256 split;
  split.update("abcdbcdecdefdefgefghfghighij");
  split.update("hijkijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(split.hex(), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
