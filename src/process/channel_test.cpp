// SPDX-License-Identifier: Apache-2.0
#include "process/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "process/region.hpp"

namespace inferometer::process {
namespace {

using ::testing::HasSubstr;

struct Lane {
  Lane() {
    auto [one, other] = socket_pair();
    ours.emplace(std::move(one));
    theirs = std::move(other);
  }
  std::optional<Channel> ours;
  UniqueFd theirs;
};

/// What receiving says to these bytes, the peer's end then being closed.
std::string refusal(const std::string& bytes) {
  Lane lane;
  EXPECT_EQ(::send(lane.theirs.get(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  lane.theirs.reset();
  Message message;
  try {
    lane.ours->receive(message, wait_forever);
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
}

std::string frame(const Header& header, const std::string& body = {}) {
  std::string bytes;
  append(bytes, header);
  return bytes + body;
}

TEST(Channel, CarriesAMessageOfAnySizeWithDescriptors) {
  for (const std::size_t size : {0u, 10u, 4072u, 4073u, 3u << 20}) {
    Lane lane;
    Channel theirs(std::move(lane.theirs));
    Message sent{.kind = Kind::Share, .turn = Turn::Answer, .sequence = 7};
    for (std::size_t i = 0; i < size; ++i) sent.body.push_back(static_cast<char>(i * 31));
    const auto region = Region::create(4096);
    region->data()[5] = std::byte{42};
    sent.fds.push_back(region->new_fd());
    std::thread sender([&] { theirs.send(sent, wait_forever); });
    Message got;
    EXPECT_TRUE(lane.ours->receive(got, wait_forever));
    sender.join();
    EXPECT_EQ(got.kind, Kind::Share);
    EXPECT_EQ(got.turn, Turn::Answer);
    EXPECT_EQ(got.sequence, 7u);
    EXPECT_EQ(got.body, sent.body);
    ASSERT_EQ(got.fds.size(), 1u);
    const auto mapped = Region::map(std::move(got.fds[0]), 4096, false);
    EXPECT_EQ(mapped->data()[5], std::byte{42});
  }
}

TEST(Channel, AClosedPeerIsTheEndNotAnError) {
  Lane lane;
  lane.theirs.reset();
  Message message;
  EXPECT_FALSE(lane.ours->receive(message, wait_forever));
}

TEST(Channel, SendingToAClosedPeerIsACrash) {
  Lane lane;
  lane.theirs.reset();
  try {
    lane.ours->send({}, wait_forever);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Crashed);
  }
}

TEST(Channel, RefusesWhatNoHonestPeerSends) {
  EXPECT_THAT(refusal("this is no message at all"), HasSubstr("magic 0x73696874"));
  EXPECT_THAT(refusal(frame({.version = 9})), HasSubstr("version 9"));
  EXPECT_THAT(refusal(frame({.kind = static_cast<Kind>(99)})), HasSubstr("unknown kind 99"));
  EXPECT_THAT(refusal(frame({.turn = static_cast<Turn>(0)})), HasSubstr("unknown turn 0"));
  EXPECT_THAT(refusal(frame({.body_bytes = kMaxBody + 1})), HasSubstr("a body of 67108865 bytes"));
  EXPECT_THAT(refusal(frame({.fd_count = 17})), HasSubstr("17 descriptors"));
  EXPECT_THAT(refusal(frame({.fd_count = 1})), HasSubstr("0 descriptors came, 1 announced"));
  EXPECT_THAT(refusal(frame({}, "x")), HasSubstr("bytes beyond its end"));
}

TEST(Channel, RefusesAFrameCutAtAnyByte) {
  const std::string whole = frame({.body_bytes = 8}, "12345678");
  EXPECT_EQ(refusal(whole), "accepted");
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("ended inside a"));
}

TEST(Channel, RefusesABodyThatIsTooLargeToSend) {
  Lane lane;
  Message message;
  message.body.resize(kMaxBody + 1);
  EXPECT_THROW(lane.ours->send(message, wait_forever), Error);
}

TEST(Protocol, AFailureCrossesWhole) {
  const Error sent(Status::LoadFailed, "bad \xff bytes", {{"node", "Conv_3"}});
  const Error got = error_from_body(failure_body(sent));
  EXPECT_EQ(got.code(), Status::LoadFailed);
  EXPECT_THAT(got.what(), HasSubstr("bytes"));
  EXPECT_EQ(got.context(), sent.context());
}

TEST(Protocol, RefusesAFailureThatIsNone) {
  for (const char* body : {"", "[]", "{}", R"({"status":"ok","message":"","context":{}})",
                           R"({"status":"crashed","message":5,"context":{}})"})
    EXPECT_THROW(error_from_body(body), Error) << body;
}

TEST(Protocol, RefusesTensorsThatCanNotBe) {
  const WireTensor good = wire_tensor(1, 0, DType::Bool, Shape{2, 3});
  EXPECT_EQ(dtype_of(good), DType::Bool);
  EXPECT_EQ(shape_of(good), (Shape{2, 3}));
  EXPECT_EQ(shape_of(wire_tensor(1, 0, DType::F32, Shape{})), Shape{});
  WireTensor bad = good;
  bad.dtype = 13;
  EXPECT_THROW(dtype_of(bad), Error);
  bad.rank = 9;
  EXPECT_THROW(shape_of(bad), Error);
  bad = good;
  bad.dims[0] = -1;
  EXPECT_THROW(shape_of(bad), Error);
  bad.dims[0] = std::int64_t{1} << 62;
  EXPECT_THROW(shape_of(bad), Error);
}

}  // namespace
}  // namespace inferometer::process
